import { isCode, type Role, type Room } from "@parley-im/sdk";
import type { RefObject } from "react";
import { useTranslation, type TextKey } from "../i18n";
import { navigate } from "../shell/route";
import { dropRoom, readRoom } from "../store/rooms";
import { currentSession } from "../store/session";
import { ConfirmDialog } from "../ui/ConfirmDialog";
import { toast } from "../ui/toasts";
import { RenameDialog } from "./RenameDialog";
import { heirOf } from "./roster";
import { useMemberName } from "./GroupInfo";
import type { Members } from "./useMembers";

/** Something that is about to be done with a group. */
export type GroupAct =
  | { kind: "rename" | "leave" | "disband" }
  | { kind: "remove"; userId: string; name: string }
  | { kind: "role"; userId: string; name: string; role: Role };

export interface GroupDialogsProps {
  room: Room;
  members: Members;
  act: GroupAct | null;
  onClose: () => void;
  /** Takes the focus when the row that had it is gone. */
  fallback: RefObject<HTMLElement | null>;
}

/** The dialog of the act that was chosen. */
export function GroupDialogs({ room, members, act, onClose, fallback }: GroupDialogsProps) {
  const { t } = useTranslation();
  const { userId } = currentSession();

  /** Leaves the place as well: there is nothing to see any more. */
  async function gone(done: Promise<void>, text: TextKey) {
    try {
      await done;
    } catch (e) {
      if (!isCode(e, "not_found")) throw e;
    }
    navigate(["rooms"], { replace: true });
    dropRoom(room.id);
    toast(text, { name: room.name });
  }

  async function remove(id: string, name: string) {
    await currentSession().removeMember(room.id, id);
    members.left(id);
    toast("groups.removed", { name });
  }

  async function give(id: string, role: Role) {
    await currentSession().setRole(room.id, id, role);
    members.role(id, role);
    if (role === "owner") await readRoom(room.id); // one's own role has changed
  }

  switch (act?.kind) {
    case undefined:
      return null;
    case "rename":
      return <RenameDialog room={room} onClose={onClose} />;
    case "leave":
      return (
        <ConfirmDialog
          title={t("groups.leave_ask", { name: room.name })}
          action={t("groups.leave")}
          danger
          isOpen
          onClose={onClose}
          onConfirm={() => gone(currentSession().removeMember(room.id, userId), "groups.left")}
        >
          <LeaveText room={room} members={members} />
        </ConfirmDialog>
      );
    case "disband":
      return (
        <ConfirmDialog
          title={t("groups.disband_ask", { name: room.name })}
          action={t("groups.disband")}
          danger
          isOpen
          onClose={onClose}
          onConfirm={() => gone(currentSession().disbandRoom(room.id), "groups.disbanded")}
        >
          <p>{t("groups.disband_text")}</p>
        </ConfirmDialog>
      );
    case "remove":
      return (
        <ConfirmDialog
          title={t("groups.remove_ask", { name: act.name })}
          action={t("groups.remove")}
          danger
          isOpen
          fallback={fallback}
          onClose={onClose}
          onConfirm={() => remove(act.userId, act.name)}
        >
          <p>{t("groups.remove_text")}</p>
        </ConfirmDialog>
      );
    case "role":
      return (
        <ConfirmDialog
          title={t(`groups.give_ask_${act.role}`, { name: act.name })}
          action={t(`groups.give_${act.role}`)}
          danger={act.role === "owner"}
          isOpen
          onClose={onClose}
          onConfirm={() => give(act.userId, act.role)}
        >
          <p>{t(`groups.give_text_${act.role}`)}</p>
        </ConfirmDialog>
      );
  }
}

/** What becomes of the group when one leaves it. */
function LeaveText({ room, members }: { room: Room; members: Members }) {
  const { t } = useTranslation();
  const heir = members.complete ? heirOf(members.roster, currentSession().userId) : undefined;
  const name = useMemberName(heir?.user_id ?? "");
  if (room.member_count <= 1) return <p>{t("groups.leave_last")}</p>;
  if (room.role !== "owner") return <p>{t("groups.leave_text")}</p>;
  return <p>{heir ? t("groups.leave_heir", { name }) : t("groups.leave_owner")}</p>;
}
