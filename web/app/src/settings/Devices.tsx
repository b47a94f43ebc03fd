import { isCode, type SessionInfo } from "@parley-im/sdk";
import { MonitorSmartphone } from "lucide-react";
import { useEffect, useRef, useState } from "react";
import { useTranslation } from "../i18n";
import { PaneHeader } from "../shell/PaneHeader";
import { href } from "../shell/route";
import { currentSession } from "../store/session";
import { Button } from "../ui/Button";
import { ConfirmDialog } from "../ui/ConfirmDialog";
import { PaneBody, Section } from "../ui/Pane";
import { Problem } from "../ui/Problem";
import { Spinner } from "../ui/Spinner";
import { ago } from "../ui/ago";
import { toast } from "../ui/toasts";
import css from "./Settings.module.css";

/** Where one is signed in. Any of them can be logged out from here. */
export function Devices() {
  const { t, language } = useTranslation();
  const [devices, setDevices] = useState<SessionInfo[] | null>(null);
  const [error, setError] = useState<unknown>(null);
  const [ending, setEnding] = useState<SessionInfo | null>(null);
  const list = useRef<HTMLUListElement>(null);

  useEffect(() => {
    currentSession().sessions().then(setDevices, setError);
  }, []);

  async function end(device: SessionInfo) {
    try {
      await currentSession().endSession(device.id);
    } catch (e) {
      if (!isCode(e, "not_found")) throw e; // it has ended meanwhile: all the better
    }
    setDevices((all) => all?.filter((d) => d.id !== device.id) ?? null);
    toast("devices.ended", { name: device.device_name || t("devices.unnamed") });
  }

  return (
    <>
      <PaneHeader title={t("settings.devices")} back={href("settings")} />
      <PaneBody>
        <Problem error={error} />
        {!devices && !error && <Spinner label={t("ui.loading")} />}
        {devices && (
          <Section>
            <ul ref={list} className={css.devices} aria-label={t("settings.devices")} tabIndex={-1}>
              {devices.map((device) => (
                <Device key={device.id} device={device} language={language} onEnd={() => setEnding(device)} />
              ))}
            </ul>
          </Section>
        )}
      </PaneBody>
      <ConfirmDialog
        title={t("devices.end_ask")}
        action={t("devices.end")}
        danger
        isOpen={ending !== null}
        fallback={list}
        onClose={() => setEnding(null)}
        onConfirm={async () => {
          if (ending) await end(ending);
        }}
      >
        <p>{t("devices.end_text", { name: ending?.device_name || t("devices.unnamed") })}</p>
      </ConfirmDialog>
    </>
  );
}

function Device({ device, language, onEnd }: { device: SessionInfo; language: string; onEnd: () => void }) {
  const { t } = useTranslation();
  const name = device.device_name || t("devices.unnamed");
  return (
    <li className={css.device}>
      <MonitorSmartphone size={22} aria-hidden />
      <div className={css.deviceText}>
        <strong>
          <bdi>{name}</bdi>
        </strong>
        <span>{t("devices.used", { when: ago(device.last_used_at, language) })}</span>
      </div>
      {device.current ? (
        <span className={css.here}>{t("devices.this")}</span>
      ) : (
        <Button onPress={onEnd} aria-label={t("devices.end_named", { name })}>
          {t("devices.end")}
        </Button>
      )}
    </li>
  );
}
