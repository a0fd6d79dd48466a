import { Modal } from "./modal.tsx";
import { observable, useObservable } from "./observable.ts";

export const shortcutsOpen = observable(false);

const mac = /Mac|iPhone|iPad/.test(navigator.userAgent);
const modifier = mac ? "⌘" : "Ctrl";

const shortcuts: { keys: string[]; does: string }[] = [
  { keys: ["Enter"], does: "Send the question" },
  { keys: ["Shift", "Enter"], does: "New line" },
  { keys: ["Esc"], does: "Stop the answer, end an edit, close a dialog" },
  { keys: [modifier, "Shift", "O"], does: "New chat" },
  { keys: ["Shift", "Esc"], does: "Go to the question field" },
  { keys: [modifier, "/"], does: "Show this list" },
];

export function ShortcutsDialog() {
  const open = useObservable(shortcutsOpen);
  return (
    <Modal open={open} onClose={() => shortcutsOpen.set(false)} title="Keyboard shortcuts">
      <dl className="mt-4 grid gap-y-2.5 text-sm">
        {shortcuts.map(({ keys, does }) => (
          <div key={does} className="flex items-center justify-between gap-6">
            <dt>{does}</dt>
            <dd className="flex shrink-0 gap-1">
              {keys.map((key) => (
                <kbd
                  key={key}
                  className="rounded-md border border-line bg-sunken px-2 py-0.5 font-sans text-quiet text-xs"
                >
                  {key}
                </kbd>
              ))}
            </dd>
          </div>
        ))}
      </dl>
    </Modal>
  );
}
