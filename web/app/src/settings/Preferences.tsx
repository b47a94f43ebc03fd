import { Monitor, Moon, Sun } from "lucide-react";
import { useEffect, useState } from "react";
import { useTranslation } from "../i18n";
import { PaneHeader } from "../shell/PaneHeader";
import { href } from "../shell/route";
import { changeSettings, useSettings } from "../store/settings";
import { Choice } from "../ui/Choice";
import { PaneBody, Section } from "../ui/Pane";
import { Switch } from "../ui/Switch";
import { LanguageChoice } from "./LanguageChoice";
import { askPermission, permission, watchPermission, type Permission } from "./permission";

/** What holds for this browser: looks, language, notifications. */
export function Preferences() {
  const { t } = useTranslation();
  const theme = useSettings((s) => s.theme);
  return (
    <>
      <PaneHeader title={t("settings.preferences")} back={href("settings")} />
      <PaneBody>
        <Section title={t("settings.looks")}>
          <Choice
            label={t("settings.theme")}
            value={theme}
            onChange={(value) => changeSettings({ theme: value })}
            options={[
              { value: "system", text: t("settings.theme_system"), icon: <Monitor size={16} aria-hidden /> },
              { value: "light", text: t("settings.theme_light"), icon: <Sun size={16} aria-hidden /> },
              { value: "dark", text: t("settings.theme_dark"), icon: <Moon size={16} aria-hidden /> },
            ]}
          />
          <LanguageChoice />
        </Section>
        <Section title={t("settings.notifications")}>
          <NotificationSwitch />
        </Section>
      </PaneBody>
    </>
  );
}

function NotificationSwitch() {
  const { t } = useTranslation();
  const wished = useSettings((s) => s.notifications);
  const [allowed, setAllowed] = useState<Permission>(permission);
  useEffect(() => watchPermission(setAllowed), []);

  async function change(on: boolean) {
    // The wish is kept only if the browser goes along: a switch that is on must work.
    const now = on ? await askPermission() : allowed;
    setAllowed(now);
    changeSettings({ notifications: on && now === "granted" });
  }

  const possible = allowed === "granted" || allowed === "default";
  return (
    <Switch
      label={t("settings.notify")}
      isSelected={wished && allowed === "granted"}
      isDisabled={!possible}
      onChange={(on) => void change(on)}
      hint={t(possible ? "settings.notify_hint" : `settings.notify_${allowed}`)}
    />
  );
}
