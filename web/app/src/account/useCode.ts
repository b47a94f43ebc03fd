import { ParleyError } from "@parley-im/sdk";
import { useState } from "react";
import { parley } from "../store/parley";
import { useCountdown } from "../ui/useCountdown";

/** Milliseconds between two mails to one address, as the server has it by default. */
const between = 60_000;

export interface MailedCode {
  /** Where a code is on its way to; null before. */
  sentTo: string | null;
  /** The address that was given last; empty before. */
  last: string;
  /** Seconds before another may be asked for. */
  wait: number;
  /** Has a code mailed. Refused as too often, it rejects, and counts the time down. */
  send: (email: string) => Promise<void>;
  /** Goes on with a code that was mailed before. */
  have: (email: string) => void;
  /** Back to the choice of an address. */
  change: () => void;
}

/** A code that is mailed, and how long until another may be. */
export function useCode(purpose: "register" | "reset_password"): MailedCode {
  const [last, setLast] = useState("");
  const [sent, setSent] = useState(false);
  const countdown = useCountdown();

  function goOn(email: string) {
    setLast(email);
    setSent(true);
  }

  async function send(email: string) {
    try {
      await parley.requestCode(email, purpose);
    } catch (error) {
      if (error instanceof ParleyError && error.code === "resource_exhausted" && error.retryAfterMs) {
        countdown.restart(error.retryAfterMs);
      }
      throw error;
    }
    countdown.restart(between);
    goOn(email);
  }

  return { sentTo: sent ? last : null, last, wait: countdown.seconds, send, have: goOn, change: () => setSent(false) };
}
