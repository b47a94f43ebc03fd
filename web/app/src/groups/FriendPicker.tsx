import { Search } from "lucide-react";
import { useDeferredValue, useMemo, useState, type ReactNode } from "react";
import { useTranslation } from "../i18n";
import { sortedFriends, useFriends } from "../store/friends";
import { Checkbox } from "../ui/Checkbox";
import { PersonText } from "../ui/PersonText";
import { TextField } from "../ui/TextField";
import { VirtualList } from "../ui/VirtualList";
import css from "./Groups.module.css";

export interface FriendPickerProps {
  chosen: ReadonlySet<string>;
  onChange: (chosen: ReadonlySet<string>) => void;
  /** Friends who can't be chosen, by user id. */
  without?: ReadonlySet<string>;
  /** What scrolls above the list. */
  head?: ReactNode;
}

/** Friends to tick, with a filter. Who is ticked stays so while the filter hides them. */
export function FriendPicker({ chosen, onChange, without, head }: FriendPickerProps) {
  const { t, language } = useTranslation();
  const { friends, status } = useFriends();
  const [filter, setFilter] = useState("");
  const wanted = useDeferredValue(filter);
  const shown = useMemo(
    () => sortedFriends(friends, language, wanted).filter(({ user }) => !without?.has(user.id)),
    [friends, language, wanted, without],
  );

  function tick(id: string, on: boolean) {
    const next = new Set(chosen);
    if (on) next.add(id);
    else next.delete(id);
    onChange(next);
  }

  return (
    <VirtualList
      label={t("nav.friends")}
      items={shown}
      head={
        <div className={css.pickerHead}>
          {head}
          <TextField
            label={t("groups.filter")}
            hideLabel
            placeholder={t("groups.filter")}
            type="search"
            leading={<Search size={18} />}
            value={filter}
            onChange={setFilter}
          />
          <p className={css.count} role="status">
            {shown.length === 0 && status === "all" ? t(filter ? "friends.no_match" : "groups.nobody_left") : null}
            {shown.length > 0 && t("groups.chosen", { count: chosen.size })}
          </p>
        </div>
      }
    >
      {({ user }) => (
        <div key={user.id} className={css.pick}>
          <Checkbox isSelected={chosen.has(user.id)} onChange={(on) => tick(user.id, on)}>
            <PersonText id={user.id} name={user.nickname} detail={`@${user.account}`} />
          </Checkbox>
        </div>
      )}
    </VirtualList>
  );
}
