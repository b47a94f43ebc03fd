/** What the browser says of desktop notifications. */
export type Permission = NotificationPermission | "unsupported";

export function permission(): Permission {
  return "Notification" in window ? Notification.permission : "unsupported";
}

/** Asks the person, if they were not asked before. */
export async function askPermission(): Promise<Permission> {
  return permission() === "default" ? Notification.requestPermission() : permission();
}

/** Calls back when it is changed in the browser's own settings; returns what ends it. */
export function watchPermission(changed: (now: Permission) => void): () => void {
  const end = new AbortController();
  navigator.permissions
    ?.query({ name: "notifications" })
    .then((status) => status.addEventListener("change", () => changed(permission()), { signal: end.signal }))
    .catch(() => undefined); // a browser that can't tell
  return () => end.abort();
}
