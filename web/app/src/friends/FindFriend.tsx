import { isCode, type Profile } from "@parley-im/sdk";
import { AtSign, MessageCircle, UserPlus } from "lucide-react";
import { useState } from "react";
import { useTranslation } from "../i18n";
import { PaneHeader } from "../shell/PaneHeader";
import { href, navigate } from "../shell/route";
import { befriend, loadFriends, useFriends } from "../store/friends";
import { currentSession, useMyId, useSession } from "../store/session";
import { Button } from "../ui/Button";
import { Form } from "../ui/Form";
import { PaneBody, Section } from "../ui/Pane";
import { PersonText } from "../ui/PersonText";
import { Problem } from "../ui/Problem";
import { TextField } from "../ui/TextField";
import { toast } from "../ui/toasts";
import { useForm } from "../ui/useForm";
import css from "./Friends.module.css";

/** Finds someone by their exact account, and makes friends with them. */
export function FindFriend() {
  const { t } = useTranslation();
  const mine = useSession((s) => s.user?.account ?? "");
  const [found, setFound] = useState<Profile | null>(null);
  const form = useForm({
    initial: { account: "" },
    check: ({ account }) => ({ account: plain(account) ? undefined : t("field.account_needed") }),
    send: async ({ account }) => {
      setFound(null);
      const profile = await currentSession().findUser(plain(account));
      if (!profile) throw new NobodyError(plain(account));
      setFound(profile);
    },
    explain: (error) =>
      error instanceof NobodyError
        ? { field: "account", text: t("friends.nobody", { account: error.message }) }
        : undefined,
  });
  return (
    <>
      <PaneHeader title={t("friends.add")} back={href("friends")} />
      <PaneBody>
        <Section>
          <Form form={form} label={t("friends.add")} role="search" className={css.find}>
            <TextField
              label={t("friends.account")}
              autoComplete="off"
              verbatim
              autoFocus
              leading={<AtSign size={18} />}
              {...form.bind("account")}
            />
            <Button type="submit" kind="primary" isPending={form.pending}>
              {t("friends.find")}
            </Button>
          </Form>
          <Problem {...form.problem} />
          <div role="status">{found && <Found key={found.id} profile={found} />}</div>
        </Section>
        {mine && <p className={css.nobody}>{t("friends.mine", { account: mine })}</p>}
      </PaneBody>
    </>
  );
}

/** There is no user with the account that is its message. */
class NobodyError extends Error {}

/** What was typed without what people put around it: "@Ann " is ann. */
function plain(account: string): string {
  return account.trim().replace(/^@/, "").toLowerCase();
}

function Found({ profile }: { profile: Profile }) {
  const { t } = useTranslation();
  const myId = useMyId();
  const friend = useFriends((s) => s.friends[profile.id]);
  const [pending, setPending] = useState(false);
  const [error, setError] = useState<unknown>(null);

  async function add() {
    setPending(true);
    setError(null);
    try {
      const roomId = await befriend(profile.id);
      navigate(["rooms", roomId]);
      toast("friends.added", { name: profile.nickname });
    } catch (e) {
      // Perhaps they were quicker.
      if (isCode(e, "already_exists")) await loadFriends();
      else setError(e);
      setPending(false);
    }
  }

  return (
    <>
      <div className={css.found}>
        <span className={css.who}>
          <PersonText id={profile.id} name={profile.nickname} detail={`@${profile.account}`} size={48} />
        </span>
        {profile.id === myId && <span>{t("friends.you")}</span>}
        {profile.id !== myId && friend && (
          <Button icon={<MessageCircle size={18} />} onPress={() => navigate(["rooms", friend.room_id])}>
            {t("friends.message")}
          </Button>
        )}
        {profile.id !== myId && !friend && (
          <Button kind="primary" icon={<UserPlus size={18} />} isPending={pending} onPress={() => void add()}>
            {t("friends.add")}
          </Button>
        )}
      </div>
      <Problem error={error} />
    </>
  );
}
