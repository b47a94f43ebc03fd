import type { User } from "@parley-im/sdk";
import { useEffect, useState } from "react";
import { useTranslation } from "../i18n";
import { PaneHeader } from "../shell/PaneHeader";
import { href } from "../shell/route";
import { currentSession, setUser, useSession } from "../store/session";
import { Avatar } from "../ui/Avatar";
import { Button } from "../ui/Button";
import { Choice } from "../ui/Choice";
import { checkNickname } from "../ui/fields";
import { Form } from "../ui/Form";
import { PaneBody, Section } from "../ui/Pane";
import { Problem } from "../ui/Problem";
import { Spinner } from "../ui/Spinner";
import { TextField } from "../ui/TextField";
import { toast } from "../ui/toasts";
import { useForm } from "../ui/useForm";
import css from "./Settings.module.css";

/** One's own profile: what others see of it can be changed. */
export function ProfilePane() {
  const { t } = useTranslation();
  const user = useSession((s) => s.user);
  const [error, setError] = useState<unknown>(null);
  useEffect(() => {
    // It may have been changed on another device.
    currentSession().me().then(setUser, setError);
  }, []);
  return (
    <>
      <PaneHeader title={t("settings.profile")} back={href("settings")} />
      <PaneBody>
        {user ? <ProfileForm key={`${user.nickname}/${user.sex}`} user={user} /> : null}
        {!user && (error ? <Problem error={error} /> : <Spinner label={t("ui.loading")} />)}
      </PaneBody>
    </>
  );
}

function ProfileForm({ user }: { user: User }) {
  const { t } = useTranslation();
  const form = useForm({
    initial: { nickname: user.nickname, sex: String(user.sex) },
    check: ({ nickname }) => ({ nickname: checkNickname(t, nickname, 1) }),
    send: async ({ nickname, sex }) => {
      setUser(await currentSession().updateMe({ nickname: nickname.trim(), sex: Number(sex) as User["sex"] }));
      toast("profile.saved");
    },
  });
  const { value: sex, onChange: setSex } = form.bind("sex");
  return (
    <>
      <div className={css.face}>
        <Avatar id={user.id} name={form.values.nickname || user.account} size={88} />
        <p>{t("profile.avatar")}</p>
      </div>
      <Section title={t("profile.public")}>
        <Form form={form} label={t("settings.profile")}>
          <TextField label={t("field.nickname")} autoComplete="nickname" {...form.bind("nickname")} />
          <Choice
            label={t("profile.sex")}
            value={sex}
            onChange={setSex}
            options={(["0", "1", "2"] as const).map((value) => ({ value, text: t(`profile.sex${value}`) }))}
          />
          <Problem {...form.problem} />
          <Button type="submit" kind="primary" className={css.submit} isPending={form.pending}>
            {t("ui.save")}
          </Button>
        </Form>
      </Section>
      <Section title={t("profile.account")}>
        <dl className={css.facts}>
          <dt>{t("field.account")}</dt>
          <dd>{user.account}</dd>
          <dt>{t("field.email")}</dt>
          <dd>{user.email}</dd>
        </dl>
      </Section>
    </>
  );
}
