import type { ReactNode } from "react";
import { Menu as AriaMenu, MenuItem, MenuTrigger, Popover } from "react-aria-components";
import { IconButton } from "./Button";
import css from "./Menu.module.css";

export interface MenuAction {
  id: string;
  text: string;
  icon?: ReactNode;
  danger?: boolean;
  run: () => void;
}

export interface MenuProps {
  /** What the menu is about, as the name of its button. */
  label: string;
  /** The button's icon. */
  icon: ReactNode;
  actions: MenuAction[];
}

/** A button that opens a short list of acts. */
export function Menu({ label, icon, actions }: MenuProps) {
  return (
    <MenuTrigger>
      <IconButton label={label}>{icon}</IconButton>
      <Popover className={css.popover} placement="bottom end">
        <AriaMenu className={css.menu}>
          {actions.map((a) => (
            <MenuItem
              key={a.id}
              id={a.id}
              textValue={a.text}
              className={[css.item, a.danger && css.danger].filter(Boolean).join(" ")}
              onAction={a.run}
            >
              {a.icon}
              <span>{a.text}</span>
            </MenuItem>
          ))}
        </AriaMenu>
      </Popover>
    </MenuTrigger>
  );
}
