import { useTranslation } from "../i18n";
import { ConnectionBar } from "./ConnectionBar";
import { Navigation } from "./Navigation";
import type { Screen } from "./screens";
import { useNotifications } from "./notify";
import { SkipLink } from "./SkipLink";
import style from "./Shell.module.css";
import { useTitle } from "./title";

/** The frame of everything that signed-in people see: two panes on wide screens, one on narrow ones. */
export function Shell({ section, list, detail }: Screen) {
  const { t } = useTranslation();
  useTitle();
  useNotifications();
  return (
    <div className={style.shell} data-detail={detail !== null}>
      <SkipLink />
      <ConnectionBar />
      <div className={style.body}>
        <Navigation section={section} />
        <main id="main" className={style.panes} tabIndex={-1}>
          <section className={style.list} aria-label={t(`nav.${section}`)}>
            {list}
          </section>
          <div className={style.detail}>
            {detail ?? (
              <div className={style.nothing}>
                <img src="/favicon.svg" alt="" width={56} height={56} />
                <p>{t(`nothing.${section}`)}</p>
              </div>
            )}
          </div>
        </main>
      </div>
    </div>
  );
}
