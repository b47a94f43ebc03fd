import {
  createContext,
  useContext,
  useLayoutEffect,
  useRef,
  useState,
  type ReactElement,
  type ReactNode,
  type Ref,
} from "react";
import { Virtualizer, type CustomItemComponentProps } from "virtua";
import { moveByArrows } from "./arrows";
import css from "./VirtualList.module.css";

export interface VirtualListProps<T> {
  /** The list's name. */
  label: string;
  items: readonly T[];
  /** Draws an item; its outermost element has a key. */
  children: (item: T, index: number) => ReactElement;
  /** What stands above the list and scrolls with it. */
  head?: ReactNode;
  /** The list itself, which takes the focus when a row that had it is gone. */
  ref?: Ref<HTMLDivElement>;
}

const SizeContext = createContext(0);

/**
 * A scrolling list of which only what is in sight is in the document. Screen
 * readers are told the whole length; arrow keys go from row to row.
 */
export function VirtualList<T>({ label, items, children, head, ref }: VirtualListProps<T>) {
  const scroll = useRef<HTMLDivElement>(null);
  const [above, setAbove] = useState(0);
  return (
    <SizeContext value={items.length}>
      <div ref={scroll} className={css.scroll}>
        {head && <Head onHeight={setAbove}>{head}</Head>}
        {/* Keys only move between the rows' own controls. */}
        {/* eslint-disable-next-line jsx-a11y/no-noninteractive-element-interactions */}
        <div ref={ref} role="list" aria-label={label} className={css.list} tabIndex={-1} onKeyDown={moveByArrows}>
          <Virtualizer data={items} scrollRef={scroll} startMargin={above} item={Item}>
            {children}
          </Virtualizer>
        </div>
      </div>
    </SizeContext>
  );
}

/** Tells its height, now and as it changes. */
function Head({ onHeight, children }: { onHeight: (px: number) => void; children: ReactNode }) {
  const ref = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    const element = ref.current!;
    const watch = new ResizeObserver(() => onHeight(element.offsetHeight));
    watch.observe(element);
    return () => watch.disconnect();
  }, [onHeight]);
  return <div ref={ref}>{children}</div>;
}

function Item({ ref, style, index, children }: CustomItemComponentProps) {
  const size = useContext(SizeContext);
  return (
    <div ref={ref} style={style} role="listitem" aria-posinset={index + 1} aria-setsize={size}>
      {children}
    </div>
  );
}
