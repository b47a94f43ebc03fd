const browsers: [RegExp, string][] = [
  [/Edg(A|iOS)?\//, "Edge"],
  [/OPR\//, "Opera"],
  [/(Firefox|FxiOS)\//, "Firefox"],
  [/(Chrome|CriOS)\//, "Chrome"],
  [/Safari\//, "Safari"],
];

const systems: [RegExp, string][] = [
  [/iPhone|iPod/, "iPhone"],
  [/iPad/, "iPad"],
  [/Android/, "Android"],
  [/Windows/, "Windows"],
  [/Mac OS X/, "macOS"],
  [/CrOS/, "ChromeOS"],
  [/Linux/, "Linux"],
];

/** What the list of devices calls this one: "Firefox · Windows". */
export function deviceName(agent: string = navigator.userAgent): string {
  const first = (of: [RegExp, string][]) => of.find(([form]) => form.test(agent))?.[1];
  return [first(browsers), first(systems)].filter(Boolean).join(" · ") || "Web";
}
