import { type KeyboardEvent, type ReactNode, useState } from "react";
import { Modal } from "../ui/modal.tsx";
import { type PaletteItem, usePaletteItems } from "./palette-items.ts";

/** Finds pages, runs and phases by a few letters. */
export function CommandPalette({ onClose }: { readonly onClose: () => void }): ReactNode {
  const [text, setText] = useState("");
  const [at, setAt] = useState(0);
  const items = usePaletteItems(text);
  const choose = (item: PaletteItem | undefined): void => {
    if (item === undefined) return;
    onClose();
    item.act();
  };
  const press = (event: KeyboardEvent): void => {
    const by = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
    if (by !== 0 && items.length > 0) {
      event.preventDefault();
      setAt((at + by + items.length) % items.length);
    } else if (event.key === "Enter") choose(items[at]);
  };
  return (
    <Modal label="Search" className="palette" onClose={onClose}>
      <input
        role="combobox"
        aria-expanded="true"
        aria-controls="palette-list"
        aria-activedescendant={items[at] === undefined ? undefined : `palette-${at}`}
        aria-label="Search pages, runs and phases"
        placeholder="Search pages, runs and phases"
        value={text}
        autoFocus
        onChange={(event) => {
          setText(event.target.value);
          setAt(0);
        }}
        onKeyDown={press}
      />
      <ul id="palette-list" role="listbox" aria-label="Found">
        {items.map((item, index) => (
          <li
            key={item.id}
            id={`palette-${index}`}
            role="option"
            aria-selected={index === at}
            onClick={() => choose(item)}
            onMouseMove={() => setAt(index)}
          >
            <span>{item.title}</span>
            <span className="faint">{item.hint}</span>
          </li>
        ))}
      </ul>
      {items.length === 0 ? <p className="faint">Nothing is called that.</p> : null}
    </Modal>
  );
}
