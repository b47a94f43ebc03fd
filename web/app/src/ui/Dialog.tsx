import { X } from "lucide-react";
import { useEffect, type ReactNode, type RefObject } from "react";
import { Dialog as AriaDialog, Heading, Modal, ModalOverlay } from "react-aria-components";
import { useTranslation } from "../i18n";
import { IconButton } from "./Button";
import css from "./Dialog.module.css";

export interface DialogProps {
  title: string;
  isOpen: boolean;
  onClose: () => void;
  /** alertdialog: it asks before something is taken away, and a click beside it does not close it. */
  role?: "dialog" | "alertdialog";
  children: ReactNode;
  /** The row of buttons at the bottom, which stays in sight. */
  footer?: ReactNode;
  /** Takes the focus after the dialog when what had it before is gone. */
  fallback?: RefObject<HTMLElement | null>;
}

/** A modal dialog. The focus stays inside and returns to where it came from. */
export function Dialog({ title, isOpen, onClose, role = "dialog", children, footer, fallback }: DialogProps) {
  const { t } = useTranslation();
  return (
    <ModalOverlay
      className={css.overlay}
      isOpen={isOpen}
      onOpenChange={(open) => !open && onClose()}
      isDismissable={role === "dialog"}
    >
      <Modal className={css.modal}>
        <AriaDialog className={css.dialog} role={role}>
          <header className={css.header}>
            <Heading slot="title" className={css.title}>
              {title}
            </Heading>
            <IconButton label={t("ui.close")} onPress={onClose}>
              <X size={20} aria-hidden />
            </IconButton>
          </header>
          <div className={css.body}>{children}</div>
          {fallback && <FocusAfter fallback={fallback} />}
          {footer && <footer className={css.footer}>{footer}</footer>}
        </AriaDialog>
      </Modal>
    </ModalOverlay>
  );
}

/** Looks, once the dialog is gone and react-aria has tried to give the focus back, whether anything has it. */
function FocusAfter({ fallback }: { fallback: RefObject<HTMLElement | null> }) {
  useEffect(
    () => () => {
      const look = () => {
        // The fallback itself may be gone with its last row.
        if (document.activeElement === document.body) (fallback.current ?? document.getElementById("main"))?.focus();
      };
      requestAnimationFrame(() => requestAnimationFrame(look));
    },
    [fallback],
  );
  return null;
}
