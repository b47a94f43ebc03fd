import { useCallback, useEffect, useState } from "react";

/** Counts seconds down to 0. restart begins again with some milliseconds. */
export function useCountdown(): { seconds: number; restart: (ms: number) => void } {
  const [until, setUntil] = useState(0);
  const [now, setNow] = useState(0);
  const restart = useCallback((ms: number) => {
    const from = Date.now();
    setNow(from);
    setUntil(from + ms);
  }, []);
  const running = until > now;
  useEffect(() => {
    if (!running) return;
    // By the clock, not by ticks: those of a hidden tab are late.
    const timer = setInterval(() => setNow(Date.now()), 500);
    return () => clearInterval(timer);
  }, [running]);
  return { seconds: Math.max(0, Math.ceil((until - now) / 1000)), restart };
}
