import type { Outgoing } from "@parley-im/sdk";
import { ChevronRight, KeyRound, LogOut, MonitorSmartphone, SlidersHorizontal, UserRound } from "lucide-react";
import { useState } from "react";
import { useTranslation } from "../i18n";
import { PaneHeader } from "../shell/PaneHeader";
import { href, navigate } from "../shell/route";
import { useDrafts } from "../store/drafts";
import { useMessages } from "../store/messages";
import { currentSession, useSession } from "../store/session";
import { Avatar } from "../ui/Avatar";
import { ConfirmDialog } from "../ui/ConfirmDialog";
import css from "./Settings.module.css";

const places = [
  { name: "profile", icon: UserRound },
  { name: "password", icon: KeyRound },
  { name: "devices", icon: MonitorSmartphone },
  { name: "preferences", icon: SlidersHorizontal },
] as const;

/** Who one is, and the ways to what can be set. */
export function SettingsList({ open }: { open: string | null }) {
  const { t } = useTranslation();
  const user = useSession((s) => s.user);
  const [leaving, setLeaving] = useState(false);
  const unsent = useUnsent();
  return (
    <>
      <PaneHeader title={t("nav.settings")} />
      <div className={css.list}>
        {user && (
          <div className={css.me}>
            <Avatar id={user.id} name={user.nickname} size={56} />
            <div className={css.names}>
              <strong>
                <bdi>{user.nickname}</bdi>
              </strong>
              <span>@{user.account}</span>
            </div>
          </div>
        )}
        <ul>
          {places.map(({ name, icon: Icon }) => (
            <li key={name}>
              <a className={css.place} href={href("settings", name)} aria-current={name === open ? "page" : undefined}>
                <Icon size={20} aria-hidden />
                <span>{t(`settings.${name}`)}</span>
                <ChevronRight size={18} aria-hidden />
              </a>
            </li>
          ))}
          <li>
            <button type="button" className={`${css.place} ${css.leave}`} onClick={() => setLeaving(true)}>
              <LogOut size={20} aria-hidden />
              <span>{t("settings.logout")}</span>
            </button>
          </li>
        </ul>
      </div>
      <ConfirmDialog
        title={t("settings.logout_ask")}
        action={t("settings.logout")}
        danger={unsent > 0}
        isOpen={leaving}
        onClose={() => setLeaving(false)}
        onConfirm={async () => {
          await currentSession().logout();
          // The next one to log in begins at the beginning.
          navigate(["login"], { replace: true });
        }}
      >
        <p>{t("settings.logout_text")}</p>
        {unsent > 0 && <p>{t("settings.logout_unsent", { count: unsent })}</p>}
      </ConfirmDialog>
    </>
  );
}

const isUnsent = ({ status }: Outgoing) => status !== "sent";

// How many texts logging out would lose: those on their way, those that failed, those begun.
function useUnsent(): number {
  const begun = useDrafts((drafts) => Object.values(drafts).filter((text) => text.trim() !== "").length);
  const written = useMessages(({ outgoing }) => Object.values(outgoing).flat().filter(isUnsent).length);
  return begun + written;
}
