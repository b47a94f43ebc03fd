import { isCode, type Room } from "@parley-im/sdk";
import { UserPlus, UserRoundMinus } from "lucide-react";
import { useState } from "react";
import { useTranslation } from "../i18n";
import { befriend, unfriend } from "../store/friends";
import { readRoom } from "../store/rooms";
import { Avatar } from "../ui/Avatar";
import { Button } from "../ui/Button";
import { ConfirmDialog } from "../ui/ConfirmDialog";
import { PaneBody } from "../ui/Pane";
import { Problem } from "../ui/Problem";
import { toast } from "../ui/toasts";
import css from "./Groups.module.css";

/** The other one of a direct room, and the friendship with them. */
export function DirectInfo({ room }: { room: Room }) {
  const { t } = useTranslation();
  const [removing, setRemoving] = useState(false);
  const [pending, setPending] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const { peer, closed } = room;
  if (!peer) return null;
  const { id, account } = peer;
  const name = peer.nickname || t("person.gone");

  async function add() {
    setPending(true);
    setError(null);
    try {
      await befriend(id);
      toast("friends.added", { name });
    } catch (e) {
      if (!isCode(e, "already_exists")) setError(e);
    }
    await readRoom(room.id).catch(() => undefined); // the push tells it too
    setPending(false);
  }

  return (
    <PaneBody>
      <div className={css.face}>
        <Avatar id={id} name={name} size={88} />
        <h2 className={css.name} dir="auto">
          {name}
        </h2>
        {account && <p className={css.sub}>@{account}</p>}
        {closed && <p className={css.sub}>{t("direct.closed")}</p>}
      </div>
      <div className={css.acts}>
        {closed && account && (
          <Button kind="primary" icon={<UserPlus size={18} />} isPending={pending} onPress={() => void add()}>
            {t("friends.add")}
          </Button>
        )}
        {!closed && (
          <Button className={css.grave} icon={<UserRoundMinus size={18} />} onPress={() => setRemoving(true)}>
            {t("friends.remove")}
          </Button>
        )}
      </div>
      <Problem error={error} />
      <ConfirmDialog
        title={t("friends.remove_ask", { name })}
        action={t("friends.remove")}
        danger
        isOpen={removing}
        onClose={() => setRemoving(false)}
        onConfirm={async () => {
          await unfriend(id);
          toast("friends.removed", { name });
        }}
      >
        <p>{t("friends.remove_text")}</p>
      </ConfirmDialog>
    </PaneBody>
  );
}
