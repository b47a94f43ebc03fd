import { Copy, Trash2 } from "lucide-react";
import { useState } from "react";
import { Menu, MenuItem, Popover } from "react-aria-components";
import { useTranslation } from "../i18n";
import type { Room } from "@parley-im/sdk";
import { currentConnection } from "../store/connection";
import type { Row } from "../store/timeline";
import style from "./MessageMenu.module.css";
import { mayRemove } from "./removal";

/** Whose menu is open, and beside what. */
export interface MenuTarget {
  row: Row;
  button: HTMLElement;
  /** When it was opened, in ms: what is offered depends on it. */
  at: number;
}

/** What can be done with a message. One menu serves all rows. */
export function MessageMenu({ room, target, onClose }: { room: Room; target: MenuTarget | null; onClose: () => void }) {
  const { t } = useTranslation();
  const [failed, setFailed] = useState(false);
  const message = target?.row.message;
  const act = (action: React.Key) => {
    if (action === "copy") {
      void navigator.clipboard?.writeText(message?.content.text ?? "").catch(() => {}); // not allowed: select and copy
    } else if (message) {
      setFailed(false);
      const log = target.button.closest<HTMLElement>("[role=log]");
      currentConnection()
        .removeMessage(room.id, message.seq)
        .then(
          () => keepFocus(log),
          () => setFailed(true),
        );
    }
  };
  return (
    <>
      {failed && (
        <p className={style.failed} role="alert">
          {t("chat.remove_failed")}
          <button type="button" className="word" onClick={() => setFailed(false)}>
            {t("chat.dismiss")}
          </button>
        </p>
      )}
      {message && (
        <Popover
          className={style.popover}
          triggerRef={{ current: target.button }}
          placement={target.row.mine ? "bottom end" : "bottom start"}
          isOpen
          onOpenChange={(open) => !open && onClose()}
        >
          <Menu
            className={style.menu}
            aria-label={t("chat.actions")}
            // A menu that opens takes the focus.

            autoFocus="first"
            onAction={act}
            onClose={onClose}
          >
            <MenuItem id="copy" className={style.item} textValue={t("chat.copy")}>
              <Copy aria-hidden size={16} /> {t("chat.copy")}
            </MenuItem>
            {mayRemove(target.row, room, target.at) && (
              <MenuItem id="remove" className={style.item} data-danger textValue={t("chat.remove")}>
                <Trash2 aria-hidden size={16} /> {t("chat.remove")}
              </MenuItem>
            )}
          </Menu>
        </Popover>
      )}
    </>
  );
}

// The button may be gone before the menu, which would give the focus back to it: then nothing has it.
function keepFocus(log: HTMLElement | null): void {
  const look = () => document.activeElement === document.body && log?.focus({ preventScroll: true });
  requestAnimationFrame(() => requestAnimationFrame(look));
}
