import { Avatar } from "./Avatar";
import css from "./Row.module.css";

export interface PersonTextProps {
  id: string;
  name: string;
  /** Behind the name, such as "(you)". */
  mark?: string;
  /** Below the name. */
  detail?: string;
  size?: number;
}

/** A person in a row: avatar, name, and a line below. */
export function PersonText({ id, name, mark, detail, size = 40 }: PersonTextProps) {
  return (
    <>
      <Avatar id={id} name={name} size={size} />
      <span className={css.text}>
        <span className={css.name}>
          <bdi>{name}</bdi>
          {mark && ` ${mark}`}
        </span>
        {detail && <span className={css.detail}>{detail}</span>}
      </span>
    </>
  );
}
