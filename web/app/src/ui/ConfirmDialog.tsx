import { useState, type ReactNode, type RefObject } from "react";
import { useTranslation } from "../i18n";
import { Button } from "./Button";
import { Dialog } from "./Dialog";
import { Problem } from "./Problem";

export interface ConfirmDialogProps {
  title: string;
  children: ReactNode;
  /** What the button that does it says; a verb. */
  action: string;
  danger?: boolean;
  isOpen: boolean;
  /** Takes the focus when the act has taken away what had it. */
  fallback?: RefObject<HTMLElement | null>;
  onClose: () => void;
  /** Done while the dialog waits; it closes after success and shows what went wrong otherwise. */
  onConfirm: () => Promise<void>;
}

/** Asks before something that is not easily undone. */
export function ConfirmDialog(props: ConfirmDialogProps) {
  const { title, children, action, danger, isOpen, fallback, onClose, onConfirm } = props;
  const { t } = useTranslation();
  const [pending, setPending] = useState(false);
  const [error, setError] = useState<unknown>(null);

  function close() {
    setError(null);
    onClose();
  }

  async function confirm() {
    setPending(true);
    setError(null);
    try {
      await onConfirm();
      close();
    } catch (e) {
      setError(e);
    } finally {
      setPending(false);
    }
  }

  return (
    <Dialog
      role="alertdialog"
      title={title}
      isOpen={isOpen}
      onClose={close}
      fallback={fallback}
      footer={
        <>
          <Button onPress={close} autoFocus>
            {t("ui.cancel")}
          </Button>
          <Button kind={danger ? "danger" : "primary"} isPending={pending} onPress={() => void confirm()}>
            {action}
          </Button>
        </>
      }
    >
      {children}
      <Problem error={error} />
    </Dialog>
  );
}
