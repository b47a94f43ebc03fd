import { useEffect, useRef, type MouseEvent, type PointerEvent } from "react";

/** As long as this, in ms, a finger rests on what it wants the menu of. */
const rest = 500;
/** As far as this, in pixels, a finger that rests may move. */
const slip = 10;

/**
 * The handlers of something that fingers press for a while: calls back once they did, or when the browser itself took it
 * for a long press. Links have a menu of the browser's own; mice are left alone.
 */
export function useLongPress(pressed: () => void) {
  const down = useRef<{ timer: ReturnType<typeof setTimeout>; x: number; y: number } | null>(null);
  const stop = () => {
    clearTimeout(down.current?.timer);
    down.current = null;
  };
  useEffect(() => stop, []);
  return {
    onPointerDown: ({ pointerType, clientX: x, clientY: y, target }: PointerEvent) => {
      stop();
      if (pointerType !== "mouse" && !(target as Element).closest("a")) {
        down.current = { timer: setTimeout(pressed, rest), x, y };
      }
    },
    onPointerMove: ({ clientX, clientY }: PointerEvent) => {
      if (down.current && Math.hypot(clientX - down.current.x, clientY - down.current.y) > slip) stop();
    },
    onPointerUp: stop,
    onPointerCancel: stop,
    onContextMenu: (event: MouseEvent) => {
      if (down.current) {
        event.preventDefault();
        clearTimeout(down.current.timer);
        pressed();
      }
    },
  };
}
