import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { App } from "./App";
import { ErrorBoundary } from "./shell/ErrorBoundary";
import { refuseFiles } from "./shell/files";
import { keepFriends } from "./store/friends";
import { keepLive } from "./store/live";
import { resumeSession } from "./store/session";
import { keepSettings } from "./store/settings";
import "./style/tokens.css";
import "./style/base.css";

keepSettings();
keepLive();
keepFriends();
refuseFiles();
void resumeSession();

createRoot(document.getElementById("root")!).render(
  <StrictMode>
    <ErrorBoundary>
      <App />
    </ErrorBoundary>
  </StrictMode>,
);
