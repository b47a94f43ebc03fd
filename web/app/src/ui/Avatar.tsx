import { colourOf, initials } from "./face";
import css from "./Avatar.module.css";

export interface AvatarProps {
  /** Of the user or room; decides the colour. */
  id: string;
  name: string;
  /** Pixels. */
  size?: number;
  /** Groups are squarer than people. */
  shape?: "person" | "group";
}

/** A person or a group as letters on a stable colour. Decoration: the name always stands beside it. */
export function Avatar({ id, name, size = 40, shape = "person" }: AvatarProps) {
  return (
    <span
      className={`${css.avatar} ${css[shape]} ${css[`colour${colourOf(id)}`]}`}
      style={{ width: size, height: size, fontSize: Math.round(size * 0.36) }}
      aria-hidden="true"
    >
      {initials(name)}
    </span>
  );
}
