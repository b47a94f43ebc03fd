import type { ReactNode } from "react";
import type { Path } from "../shell/route";
import { Devices } from "./Devices";
import { PasswordPane } from "./PasswordPane";
import { Preferences } from "./Preferences";
import { ProfilePane } from "./ProfilePane";
import { SettingsList } from "./SettingsList";

/** The panes of #/settings and what is below it. */
export function settingsScreen(path: Path): { list: ReactNode; detail: ReactNode | null } {
  return { list: <SettingsList open={path[1] ?? null} />, detail: detailOf(path[1]) };
}

function detailOf(name: string | undefined): ReactNode | null {
  switch (name) {
    case "profile":
      return <ProfilePane />;
    case "password":
      return <PasswordPane />;
    case "devices":
      return <Devices />;
    case "preferences":
      return <Preferences />;
    default:
      return null;
  }
}
