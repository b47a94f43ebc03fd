import type { Room } from "@parley-im/sdk";
import { LogOut, Pencil, Trash2, UserPlus } from "lucide-react";
import { useEffect, useRef, useState } from "react";
import { useTranslation } from "../i18n";
import { navigate } from "../shell/route";
import { usePeople, wantPerson } from "../store/people";
import { useMyId } from "../store/session";
import { Avatar } from "../ui/Avatar";
import { Button } from "../ui/Button";
import { Problem } from "../ui/Problem";
import { VirtualList } from "../ui/VirtualList";
import { GroupDialogs, type GroupAct } from "./GroupDialogs";
import { MemberRow } from "./MemberRow";
import { mayDisband, mayRename } from "./rights";
import { useMembers } from "./useMembers";
import css from "./Groups.module.css";

/** A group: its name, its members, and what one may do with it. */
export function GroupInfo({ room }: { room: Room }) {
  const { t } = useTranslation();
  const myId = useMyId();
  const members = useMembers(room.id);
  const [act, setAct] = useState<GroupAct | null>(null);
  const list = useRef<HTMLDivElement>(null);
  const { roster } = members;

  useEffect(() => roster.forEach((m) => wantPerson(m.user_id)), [roster]);

  return (
    <>
      <VirtualList
        ref={list}
        label={t("groups.members")}
        items={roster}
        head={
          <div className={css.head}>
            <GroupFace room={room} />
            <GroupButtons room={room} onAct={setAct} />
            {members.error !== null && (
              <>
                <Problem error={members.error} />
                <Button onPress={members.reload}>{t("ui.retry")}</Button>
              </>
            )}
            <h2 className={css.listTitle}>{t("groups.members")}</h2>
          </div>
        }
      >
        {(member) => (
          <MemberRow
            key={member.user_id}
            member={member}
            mine={room.role}
            isMe={member.user_id === myId}
            onAct={setAct}
          />
        )}
      </VirtualList>
      <GroupDialogs room={room} members={members} act={act} onClose={() => setAct(null)} fallback={list} />
    </>
  );
}

function GroupFace({ room }: { room: Room }) {
  const { t } = useTranslation();
  return (
    <div className={css.face}>
      <Avatar id={room.id} name={room.name} size={88} shape="group" />
      <h2 className={css.name} dir="auto">
        {room.name}
      </h2>
      <p className={css.sub}>{t("groups.count", { count: room.member_count })}</p>
    </div>
  );
}

function GroupButtons({ room, onAct }: { room: Room; onAct: (act: GroupAct) => void }) {
  const { t } = useTranslation();
  return (
    <div className={css.acts}>
      <Button icon={<UserPlus size={18} />} onPress={() => navigate(["rooms", room.id, "add"])}>
        {t("groups.add")}
      </Button>
      {mayRename(room.role) && (
        <Button icon={<Pencil size={18} />} onPress={() => onAct({ kind: "rename" })}>
          {t("groups.rename")}
        </Button>
      )}
      <Button className={css.grave} icon={<LogOut size={18} />} onPress={() => onAct({ kind: "leave" })}>
        {t("groups.leave")}
      </Button>
      {mayDisband(room.role) && (
        <Button className={css.grave} icon={<Trash2 size={18} />} onPress={() => onAct({ kind: "disband" })}>
          {t("groups.disband")}
        </Button>
      )}
    </div>
  );
}

/** What a member is called, as far as is known. */
export function useMemberName(userId: string): string {
  const { t } = useTranslation();
  const profile = usePeople((s) => s.profiles[userId]);
  return profile ? profile.nickname || t("person.gone") : "…";
}
