import { useMemo, useState } from "react";
import { useTranslation } from "../i18n";
import { PaneHeader } from "../shell/PaneHeader";
import { href, navigate } from "../shell/route";
import { currentSession } from "../store/session";
import { Button } from "../ui/Button";
import { Form } from "../ui/Form";
import { Problem } from "../ui/Problem";
import { toast } from "../ui/toasts";
import { useForm } from "../ui/useForm";
import { explainMembers } from "./explain";
import { FriendPicker } from "./FriendPicker";
import { useMembers } from "./useMembers";
import css from "./Groups.module.css";

/** As many as one call takes. */
const atOnce = 200;

/** Adds friends who are not in the group yet. */
export function AddMembers({ roomId }: { roomId: string }) {
  const { t } = useTranslation();
  const { roster, error } = useMembers(roomId);
  const members = useMemo(() => new Set(roster.map((m) => m.user_id)), [roster]);
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const form = useForm({
    initial: {},
    check: () => ({}),
    send: async () => {
      const ids = [...chosen];
      for (let i = 0; i < ids.length; i += atOnce) {
        await currentSession().addMembers(roomId, ids.slice(i, i + atOnce));
      }
      navigate(["rooms", roomId, "info"], { replace: true });
      toast("groups.added", { count: ids.length });
    },
    explain: (e) => explainMembers(t, e),
  });
  return (
    <>
      <PaneHeader title={t("groups.add")} back={href("rooms", roomId, "info")} backAlways />
      <FriendPicker chosen={chosen} onChange={setChosen} without={members} head={<Problem error={error} />} />
      <Form form={form} label={t("groups.add")} className={css.foot}>
        <Problem {...form.problem} />
        <Button type="submit" kind="primary" wide isPending={form.pending} isDisabled={chosen.size === 0}>
          {chosen.size > 0 ? t("groups.add_chosen", { count: chosen.size }) : t("groups.add")}
        </Button>
      </Form>
    </>
  );
}
