import { useEffect } from "react";
import { I18nProvider } from "react-aria-components";
import { useTranslation } from "./i18n";
import { AccountScreen, isAccountPath } from "./account/AccountScreen";
import { navigate, usePath } from "./shell/route";
import { screenOf } from "./shell/screens";
import { Shell } from "./shell/Shell";
import { Splash } from "./shell/Splash";
import { useSession } from "./store/session";
import { ToastList } from "./ui/ToastList";

/** What is on the screen, and the short notices over it. */
export function App() {
  const { language } = useTranslation();
  return (
    <I18nProvider locale={language === "zh" ? "zh-CN" : "en-US"}>
      <Screens />
      <ToastList />
    </I18nProvider>
  );
}

/** The accounts' screens for those signed out, else the shell with the place's panes. */
function Screens() {
  const status = useSession((s) => s.status);
  const path = usePath();
  const arrived = status === "in" && isAccountPath(path);
  useEffect(() => {
    if (arrived) navigate(["rooms"], { replace: true });
  }, [arrived]);
  if (status === "starting") {
    return <Splash />;
  }
  if (status === "out") {
    return <AccountScreen path={path} />;
  }
  return <Shell {...screenOf(path)} />;
}
