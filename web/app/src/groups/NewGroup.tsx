import { useId, useState } from "react";
import { useTranslation } from "../i18n";
import { PaneHeader } from "../shell/PaneHeader";
import { href, navigate } from "../shell/route";
import { takeRooms } from "../store/rooms";
import { currentSession } from "../store/session";
import { Button } from "../ui/Button";
import { checkRoomName } from "../ui/fields";
import { Form } from "../ui/Form";
import { Problem } from "../ui/Problem";
import { TextField } from "../ui/TextField";
import { useForm } from "../ui/useForm";
import { explainMembers } from "./explain";
import { FriendPicker } from "./FriendPicker";
import css from "./Groups.module.css";

/** A new group: a name, and friends to begin with. */
export function NewGroup() {
  const { t } = useTranslation();
  const id = useId();
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  // One for all tries: a lost answer must not make a second group.
  const [clientId] = useState(requestId);
  const form = useForm({
    initial: { name: "" },
    check: ({ name }) => ({ name: checkRoomName(t, name) }),
    send: async ({ name }) => {
      const room = await currentSession().createRoom({
        name: name.trim(),
        member_ids: [...chosen],
        client_id: clientId,
      });
      takeRooms([room]);
      navigate(["rooms", room.id], { replace: true });
    },
    explain: (error) => explainMembers(t, error),
  });
  return (
    <>
      <PaneHeader title={t("groups.new")} back={href("rooms")} backAlways />
      <FriendPicker
        chosen={chosen}
        onChange={setChosen}
        head={
          <Form form={form} id={id} label={t("groups.new")}>
            <TextField label={t("groups.name")} autoComplete="off" autoFocus {...form.bind("name")} />
          </Form>
        }
      />
      <div className={css.foot}>
        <Problem {...form.problem} />
        <Button type="submit" form={id} kind="primary" wide isPending={form.pending}>
          {t("groups.create")}
        </Button>
      </div>
    </>
  );
}

/** A client_id; crypto.randomUUID is missing where the page came over plain HTTP from another machine. */
function requestId(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
