import { useTranslation } from "../i18n";
import type { Language } from "../i18n";
import { changeSettings, useSettings } from "../store/settings";
import { Choice } from "../ui/Choice";

// Each language is named in itself: whoever needs it can read it.
const options: { value: Language; text: string; lang: string }[] = [
  { value: "en", text: "English", lang: "en" },
  { value: "zh", text: "中文", lang: "zh" },
];

/** The app's language. Without a visible label where it stands alone. */
export function LanguageChoice({ hideLabel }: { hideLabel?: boolean }) {
  const { t } = useTranslation();
  const language = useSettings((s) => s.language);
  return (
    <Choice
      label={t("settings.language")}
      hideLabel={hideLabel}
      value={language}
      options={options}
      onChange={(value) => changeSettings({ language: value })}
    />
  );
}
