import { Users } from "lucide-react";
import { useEffect, useState } from "react";
import { useTranslation } from "../i18n";
import { useGone } from "../rooms/gone";
import { PaneHeader } from "../shell/PaneHeader";
import { href, navigate } from "../shell/route";
import { readRoom, useRooms } from "../store/rooms";
import { Button } from "../ui/Button";
import { EmptyState } from "../ui/EmptyState";
import { PaneBody } from "../ui/Pane";
import { Problem } from "../ui/Problem";
import { Spinner } from "../ui/Spinner";
import { DirectInfo } from "./DirectInfo";
import { GroupInfo } from "./GroupInfo";

/** What is to know about a room, beside its messages. */
export function RoomInfo({ roomId }: { roomId: string }) {
  const { t } = useTranslation();
  const room = useRooms((s) => s.book.rooms[roomId]);
  const gone = useGone(roomId);
  const [asked, setAsked] = useState(false);
  const [error, setError] = useState<unknown>(null);
  useEffect(() => {
    // Its numbers may be old; and after a reload it may not be known at all.
    readRoom(roomId).then(() => setAsked(true), setError);
  }, [roomId]);

  return (
    <>
      <PaneHeader
        title={t(room?.type === "direct" ? "direct.info" : "groups.info")}
        back={room ? href("rooms", roomId) : href("rooms")}
        backAlways
      />
      {room?.type === "group" && <GroupInfo room={room} />}
      {room?.type === "direct" && <DirectInfo room={room} />}
      {!room && (
        <PaneBody>
          {error !== null && <Problem error={error} />}
          {asked && (
            <EmptyState
              icon={<Users size={28} />}
              title={gone}
              action={<Button onPress={() => navigate(["rooms"], { replace: true })}>{t("groups.to_chats")}</Button>}
            />
          )}
          {!asked && error === null && <Spinner label={t("ui.loading")} />}
        </PaneBody>
      )}
    </>
  );
}
