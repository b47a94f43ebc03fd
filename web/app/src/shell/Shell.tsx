import { useEffect, useRef } from "react";
import { useTranslation } from "../i18n";
import { Logo } from "../ui/Logo";
import { ConnectionBar } from "./ConnectionBar";
import { Navigation } from "./Navigation";
import type { Screen } from "./screens";
import { useNotifications } from "./notify";
import { SkipLink } from "./SkipLink";
import { usePath, type Path } from "./route";
import style from "./Shell.module.css";
import { useTitle } from "./title";

/** The frame of everything that signed-in people see: two panes on wide screens, one on narrow ones. */
export function Shell({ section, list, detail }: Screen) {
  const { t } = useTranslation();
  useTitle();
  useNotifications();
  useArrival(usePath(), detail !== null);
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
                <Logo size={56} />
                <p>{t(`nothing.${section}`)}</p>
              </div>
            )}
          </div>
        </main>
      </div>
    </div>
  );
}

/** As long as this, in ms, a field of the new place has to take the focus: react-aria lets transitions end first. */
const settled = 300;

// Where what had the focus is gone with the place before, it goes to the new one's title.
function useArrival(path: Path, inDetail: boolean): void {
  const before = useRef(path);
  useEffect(() => {
    if (before.current === path) {
      return;
    }
    const stop = () => {
      before.current = path;
      clearTimeout(timer);
      document.removeEventListener("focusin", stop);
    };
    const timer = setTimeout(() => {
      stop();
      if (document.activeElement === document.body) {
        const titles = document.querySelectorAll<HTMLElement>("#main h1");
        titles[inDetail ? titles.length - 1 : 0]?.focus({ preventScroll: true });
      }
    }, settled);
    document.addEventListener("focusin", stop); // something has it: it is not for us to move
    return stop;
  }, [path, inDetail]);
}
