import type { Friend } from "@parley-im/sdk";
import { EllipsisVertical, Search, UserPlus, UserRound, UserRoundMinus, Users } from "lucide-react";
import { useDeferredValue, useMemo, useRef, useState } from "react";
import { useTranslation } from "../i18n";
import { PaneHeader } from "../shell/PaneHeader";
import { href, navigate } from "../shell/route";
import { loadFriends, sortedFriends, unfriend, useFriends } from "../store/friends";
import { Button, IconButton } from "../ui/Button";
import { ConfirmDialog } from "../ui/ConfirmDialog";
import { EmptyState } from "../ui/EmptyState";
import { Menu } from "../ui/Menu";
import { PersonText } from "../ui/PersonText";
import { Problem } from "../ui/Problem";
import { Spinner } from "../ui/Spinner";
import { TextField } from "../ui/TextField";
import { toast } from "../ui/toasts";
import { VirtualList } from "../ui/VirtualList";
import row from "../ui/Row.module.css";
import css from "./Friends.module.css";

/** Fewer can be overlooked at once: no filter is needed. */
const filterFrom = 8;

/** All friends; each is the way to the chat with them. */
export function FriendList() {
  const { t } = useTranslation();
  const { friends, status, error } = useFriends();
  const count = Object.keys(friends).length;
  return (
    <>
      <PaneHeader
        title={t("nav.friends")}
        actions={
          <>
            <IconButton label={t("groups.new")} onPress={() => navigate(["rooms", "new"])}>
              <Users size={20} aria-hidden />
            </IconButton>
            <IconButton label={t("friends.add")} onPress={() => navigate(["friends", "add"])}>
              <UserPlus size={20} aria-hidden />
            </IconButton>
          </>
        }
      />
      {error !== null && (
        <div className={css.problem}>
          <Problem error={error} />
          <Button onPress={() => void loadFriends()}>{t("ui.retry")}</Button>
        </div>
      )}
      {count > 0 && <Friends count={count} />}
      {count === 0 && status === "all" && <NoFriends />}
      {count === 0 && status === "loading" && (
        <div className={css.wait}>
          <Spinner label={t("ui.loading")} />
        </div>
      )}
    </>
  );
}

function NoFriends() {
  const { t } = useTranslation();
  return (
    <EmptyState
      icon={<UserRound size={28} />}
      title={t("friends.none")}
      action={
        <Button kind="primary" icon={<UserPlus size={18} />} onPress={() => navigate(["friends", "add"])}>
          {t("friends.add")}
        </Button>
      }
    >
      {t("friends.none_text")}
    </EmptyState>
  );
}

function Friends({ count }: { count: number }) {
  const { t, language } = useTranslation();
  const friends = useFriends((s) => s.friends);
  const [filter, setFilter] = useState("");
  const [removing, setRemoving] = useState<Friend | null>(null);
  const wanted = useDeferredValue(filter);
  const shown = useMemo(() => sortedFriends(friends, language, wanted), [friends, language, wanted]);
  const list = useRef<HTMLDivElement>(null);

  async function remove({ user }: Friend) {
    await unfriend(user.id);
    toast("friends.removed", { name: user.nickname });
  }

  return (
    <>
      {count >= filterFrom && (
        <div className={css.filter}>
          <TextField
            label={t("friends.filter")}
            hideLabel
            placeholder={t("friends.filter")}
            type="search"
            leading={<Search size={18} />}
            value={filter}
            onChange={setFilter}
          />
        </div>
      )}
      {shown.length === 0 && (
        <p className={css.nobody} role="status">
          {t("friends.no_match")}
        </p>
      )}
      <VirtualList ref={list} label={t("nav.friends")} items={shown}>
        {(friend) => <FriendRow key={friend.user.id} friend={friend} onRemove={() => setRemoving(friend)} />}
      </VirtualList>
      <ConfirmDialog
        title={t("friends.remove_ask", { name: removing?.user.nickname ?? "" })}
        action={t("friends.remove")}
        danger
        isOpen={removing !== null}
        fallback={list}
        onClose={() => setRemoving(null)}
        onConfirm={async () => {
          if (removing) await remove(removing);
        }}
      >
        <p>{t("friends.remove_text")}</p>
      </ConfirmDialog>
    </>
  );
}

function FriendRow({ friend, onRemove }: { friend: Friend; onRemove: () => void }) {
  const { t } = useTranslation();
  const { user, room_id } = friend;
  return (
    <div className={`${row.row} ${css.row}`}>
      <a className={row.main} href={href("rooms", room_id)} data-row>
        <PersonText id={user.id} name={user.nickname} detail={`@${user.account}`} />
      </a>
      <Menu
        label={t("friends.more", { name: user.nickname })}
        icon={<EllipsisVertical size={18} aria-hidden />}
        actions={[
          {
            id: "remove",
            text: t("friends.remove"),
            icon: <UserRoundMinus size={18} aria-hidden />,
            danger: true,
            run: onRemove,
          },
        ]}
      />
    </div>
  );
}
