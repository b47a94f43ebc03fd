import { MessageCircle, Settings, Users } from "lucide-react";
import { useTranslation } from "../i18n";
import { totalUnread } from "../store/roombook";
import { useRooms } from "../store/rooms";
import { Logo } from "../ui/Logo";
import { ConnectionDot } from "./ConnectionDot";
import style from "./Navigation.module.css";
import { href } from "./route";
import type { Section } from "./screens";

const places = [
  { section: "rooms", icon: MessageCircle },
  { section: "friends", icon: Users },
  { section: "settings", icon: Settings },
] as const;

/** The way between chats, friends and settings: a rail on wide screens, tabs at the bottom of narrow ones. */
export function Navigation({ section }: { section: Section }) {
  const { t } = useTranslation();
  const unread = useRooms((s) => totalUnread(s.book));
  return (
    <nav className={style.nav} aria-label={t("nav.label")}>
      <Logo className={style.logo} size={32} />
      <ul className={style.places}>
        {places.map(({ section: place, icon: Icon }) => (
          <li key={place}>
            <a className={style.place} href={href(place)} aria-current={place === section ? "page" : undefined}>
              <span className={style.icon}>
                <Icon aria-hidden size={22} />
                {place === "rooms" && unread > 0 && (
                  <span className={style.badge} aria-hidden>
                    {unread > 99 ? "99+" : unread}
                  </span>
                )}
              </span>
              <span className={style.label}>{t(`nav.${place}`)}</span>
              {place === "rooms" && unread > 0 && (
                <span className="hidden-text">{t("nav.unread", { count: unread })}</span>
              )}
            </a>
          </li>
        ))}
      </ul>
      <span className={style.state}>
        <ConnectionDot />
      </span>
    </nav>
  );
}
