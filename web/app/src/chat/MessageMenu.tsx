import { Copy, Trash2 } from "lucide-react";
import { useState, type RefObject } from "react";
import { Menu, MenuItem, Popover } from "react-aria-components";
import { useTranslation } from "../i18n";
import type { Room } from "@parley-im/sdk";
import { currentConnection } from "../store/connection";
import type { Row } from "../store/timeline";
import { ConfirmDialog } from "../ui/ConfirmDialog";
import style from "./MessageMenu.module.css";
import { mayRemove } from "./removal";

/** Whose menu is open, and beside what. */
export interface MenuTarget {
  row: Row;
  button: HTMLElement;
  /** When it was opened, in ms: what is offered depends on it. */
  at: number;
}

/** The message that is to be removed, and what takes the focus after the question. */
interface Removing {
  seq: number;
  focus: RefObject<HTMLElement | null>;
}

/** What can be done with a message. One menu serves all rows. */
export function MessageMenu({ room, target, onClose }: { room: Room; target: MenuTarget | null; onClose: () => void }) {
  const { t } = useTranslation();
  const [removing, setRemoving] = useState<Removing | null>(null);
  const message = target?.row.message;
  const act = (action: React.Key) => {
    if (action === "copy") {
      void navigator.clipboard?.writeText(message?.content.text ?? "").catch(() => {}); // not allowed
    } else if (message) {
      setRemoving({ seq: message.seq, focus: remaining(target.button) });
    }
  };
  return (
    <>
      {removing && (
        <ConfirmDialog
          title={t("chat.remove_ask")}
          action={t("chat.remove")}
          danger
          isOpen
          fallback={removing.focus}
          onClose={() => setRemoving(null)}
          onConfirm={() => currentConnection().removeMessage(room.id, removing.seq)}
        >
          <p>{t("chat.remove_text")}</p>
        </ConfirmDialog>
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

// The message's button, or the list of messages once that is gone.
function remaining(button: HTMLElement): RefObject<HTMLElement | null> {
  const log = button.closest<HTMLElement>("[role=log]");
  return {
    get current() {
      return button.isConnected ? button : log;
    },
  };
}
