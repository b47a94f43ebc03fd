import type { Role } from "@parley-im/sdk";
import { Crown, EllipsisVertical, MessageCircle, Shield, ShieldOff, UserRoundMinus } from "lucide-react";
import { useTranslation } from "../i18n";
import { navigate } from "../shell/route";
import { useFriends } from "../store/friends";
import { usePeople } from "../store/people";
import { Menu, type MenuAction } from "../ui/Menu";
import { PersonText } from "../ui/PersonText";
import row from "../ui/Row.module.css";
import type { GroupAct } from "./GroupDialogs";
import { useMemberName } from "./GroupInfo";
import { mayGive, mayRemove } from "./rights";
import type { Entry } from "./roster";
import css from "./Groups.module.css";

export interface MemberRowProps {
  member: Entry;
  /** The role of who looks. */
  mine: Role;
  isMe: boolean;
  onAct: (act: GroupAct) => void;
}

const giving = { owner: Crown, admin: Shield, member: ShieldOff } as const;

/** A member with their role; the menu has what one may do about them, and is not there when that is nothing. */
export function MemberRow({ member, mine, isMe, onAct }: MemberRowProps) {
  const { t } = useTranslation();
  const { user_id: userId, role } = member;
  const name = useMemberName(userId);
  const account = usePeople((s) => s.profiles[userId]?.account);
  const roomId = useFriends((s) => s.friends[userId]?.room_id);

  const actions: MenuAction[] = [];
  if (!isMe && roomId) {
    actions.push({
      id: "message",
      text: t("friends.message"),
      icon: <MessageCircle size={18} aria-hidden />,
      run: () => navigate(["rooms", roomId]),
    });
  }
  if (!isMe) {
    for (const to of mayGive(mine, role)) {
      const Icon = giving[to];
      actions.push({
        id: to,
        text: t(`groups.give_${to}`),
        icon: <Icon size={18} aria-hidden />,
        run: () => onAct({ kind: "role", userId, name, role: to }),
      });
    }
    if (mayRemove(mine, role)) {
      actions.push({
        id: "remove",
        text: t("groups.remove"),
        icon: <UserRoundMinus size={18} aria-hidden />,
        danger: true,
        run: () => onAct({ kind: "remove", userId, name }),
      });
    }
  }

  return (
    <div className={`${row.row} ${css.member}`}>
      <div className={row.main}>
        <PersonText
          id={userId}
          name={name}
          mark={isMe ? t("groups.you") : undefined}
          detail={account && `@${account}`}
        />
      </div>
      {role !== "member" && <span className={row.badge}>{t(`groups.role_${role}`)}</span>}
      {actions.length > 0 ? (
        <Menu label={t("groups.more", { name })} icon={<EllipsisVertical size={18} aria-hidden />} actions={actions} />
      ) : (
        <span className={css.noMenu} />
      )}
    </div>
  );
}
