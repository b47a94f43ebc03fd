import { memo } from "react";
import { isEmoji } from "./emoji";
import { tokens } from "./links";
import style from "./MessageText.module.css";

/** A message's text as text: markup in it is shown, never followed; addresses are links. */
export const MessageText = memo(function MessageText({ text }: { text: string }) {
  return (
    <p className={isEmoji(text) ? style.emoji : style.text} dir="auto">
      {tokens(text).map((token, i) =>
        token.href === undefined ? (
          token.text
        ) : (
          <a key={i} href={token.href} target="_blank" rel="noopener noreferrer nofollow">
            {token.text}
          </a>
        ),
      )}
    </p>
  );
});
