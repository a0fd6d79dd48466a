export const menuClass =
  "popup min-w-44 origin-(--transform-origin) rounded-xl border border-line bg-raised p-1.5 shadow-float outline-none";

export const itemClass =
  "flex min-h-9 cursor-default select-none items-center gap-2.5 rounded-lg px-2.5 text-sm outline-none data-highlighted:bg-tint pointer-coarse:min-h-11 [&_svg]:size-4 [&_svg]:shrink-0";
