import { useEffect, useState } from "react";
import { useTranslation } from "../i18n";
import { useConnection } from "../store/connection";
import { useRooms } from "../store/rooms";
import { useMyId } from "../store/session";
import { roomName } from "./name";

const ways = { removed: "chat.gone_removed", left: "groups.left", disbanded: "groups.disbanded" } as const;

/** Tells which room is gone, and why, as far as that was heard while the room was shown. */
export function useGone(roomId: string): string {
  const { t } = useTranslation();
  const room = useRooms((s) => s.book.rooms[roomId]);
  const [last, setLast] = useState(room);
  const way = useWay(roomId);
  if (room && room !== last) {
    setLast(room);
  }
  return last ? t(way ? ways[way] : "chat.gone", { name: roomName(last, t) }) : t("chat.missing");
}

function useWay(roomId: string): keyof typeof ways | null {
  const connection = useConnection((s) => s.connection);
  const myId = useMyId();
  const [way, setWay] = useState<keyof typeof ways | null>(null);
  useEffect(() => {
    const stops = [
      connection?.on("room.disbanded", ({ room_id }) => room_id === roomId && setWay("disbanded")),
      connection?.on("member.left", ({ room_id, user_id, by }) => {
        if (room_id === roomId && user_id === myId) setWay(by === myId ? "left" : "removed");
      }),
    ];
    return () => stops.forEach((stop) => stop?.());
  }, [connection, roomId, myId]);
  return way;
}
