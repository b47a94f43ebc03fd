import { X } from "lucide-react";
import { useTranslation } from "../i18n";
import { IconButton } from "./Button";
import { dismissToast, useToasts } from "./toasts";
import css from "./ToastList.module.css";

/** Where toasts appear. Always mounted, so that screen readers know the region before it speaks. */
export function ToastList() {
  const { t } = useTranslation();
  const list = useToasts((s) => s.list);
  return (
    <div className={css.list} role="status">
      {list.map((toast) => (
        <div key={toast.id} className={css.toast}>
          <span>{t(toast.text, toast.values)}</span>
          <IconButton label={t("ui.dismiss")} onPress={() => dismissToast(toast.id)}>
            <X size={16} aria-hidden />
          </IconButton>
        </div>
      ))}
    </div>
  );
}
