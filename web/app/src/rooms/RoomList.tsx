import { SquarePen } from "lucide-react";
import { useDeferredValue, useMemo, useState } from "react";
import { useTranslation } from "../i18n";
import { PaneHeader } from "../shell/PaneHeader";
import { href } from "../shell/route";
import { loadMoreRooms, useRooms } from "../store/rooms";
import { matching } from "./filter";
import { RoomLinks } from "./RoomLinks";
import style from "./RoomList.module.css";

/** The chats, latest activity first, with a field to search them by name. */
export function RoomList({ openId }: { openId: string | null }) {
  const { t } = useTranslation();
  const book = useRooms((s) => s.book);
  const read = useRooms((s) => s.cursor !== null);
  const failed = useRooms((s) => s.failed);
  const [sought, setSought] = useState("");
  const words = useDeferredValue(sought);
  const rooms = useMemo(() => matching(book, words, t), [book, words, t]);
  const nothing = read && book.order.length === 0;
  return (
    <>
      <PaneHeader
        title={t("nav.rooms")}
        actions={
          <a
            className={style.new}
            href={href("rooms", "new")}
            aria-label={t("rooms.new_group")}
            title={t("rooms.new_group")}
          >
            <SquarePen aria-hidden size={20} />
          </a>
        }
      />
      {!nothing && (
        <input
          className={style.search}
          type="search"
          value={sought}
          placeholder={t("rooms.search")}
          aria-label={t("rooms.search")}
          autoComplete="off"
          spellCheck={false}
          onChange={(event) => setSought(event.target.value)}
        />
      )}
      {nothing ? <Empty /> : <RoomLinks rooms={rooms} openId={openId} sought={words !== ""} />}
      {failed && (
        <p className={style.failed} role="alert">
          {t("rooms.failed")}{" "}
          <button type="button" className="word" onClick={() => void loadMoreRooms()}>
            {t("rooms.retry")}
          </button>
        </p>
      )}
    </>
  );
}

function Empty() {
  const { t } = useTranslation();
  return (
    <div className={style.empty}>
      <h2>{t("rooms.empty_title")}</h2>
      <p>{t("rooms.empty_body")}</p>
      <a className={style.add} href={href("friends", "add")}>
        {t("rooms.add_friend")}
      </a>
    </div>
  );
}
