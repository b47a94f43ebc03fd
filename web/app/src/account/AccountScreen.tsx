import { useEffect, type ReactNode } from "react";
import { useTranslation } from "../i18n";
import { href, type Path } from "../shell/route";
import { LanguageChoice } from "../settings/LanguageChoice";
import { Logo } from "../ui/Logo";
import { LoginForm } from "./LoginForm";
import { RegisterForm } from "./RegisterForm";
import { ResetForm } from "./ResetForm";
import css from "./AccountScreen.module.css";

/** Whether a place is one of those that only the signed out have a use for. */
export function isAccountPath(path: Path): boolean {
  return ["login", "register", "reset"].includes(path[0] ?? "");
}

/** What those see who are not signed in: one card. */
export function AccountScreen({ path }: { path: Path }) {
  const { t } = useTranslation();
  const page = path[0];
  useEffect(() => {
    void window.scrollTo(0, 0); // newer browsers return a promise, which React would take for a cleanup
  }, [page]);
  if (page === "register") {
    return (
      <Card title={t("register.title")}>
        <RegisterForm />
        <p className={css.other}>
          {t("register.known")}{" "}
          <a className="word" href={href("login")}>
            {t("login.title")}
          </a>
        </p>
      </Card>
    );
  }
  if (page === "reset") {
    return (
      <Card title={t("reset.title")}>
        <ResetForm />
        <p className={css.other}>
          <a className="word" href={href("login")}>
            {t("reset.back")}
          </a>
        </p>
      </Card>
    );
  }
  return (
    <Card title={t("login.title")}>
      <LoginForm />
      <p className={css.other}>
        {t("login.new")}{" "}
        <a className="word" href={href("register")}>
          {t("login.register")}
        </a>
      </p>
    </Card>
  );
}

function Card({ title, children }: { title: string; children: ReactNode }) {
  return (
    <div className={css.page}>
      <main className={css.card} id="main">
        <p className={css.brand}>
          <Logo size={32} />
          Parley
        </p>
        <h1 className={css.title}>{title}</h1>
        {children}
      </main>
      <footer className={css.foot}>
        <LanguageChoice hideLabel />
      </footer>
    </div>
  );
}
