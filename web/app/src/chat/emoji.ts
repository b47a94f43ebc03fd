// Signs such as ©, ™ and ‼ are pictures only where U+FE0F asks for one.
const pictures =
  /^\s*(?:(?:\p{Emoji_Presentation}|\p{Emoji}\ufe0f|\p{Emoji_Modifier_Base}(?=\p{Emoji_Modifier}))(?:\u200d|\u20e3|[\u{e0020}-\u{e007f}])*\s*)+$/u;

/** A text that is a few emoji and nothing else is drawn large. */
export function isEmoji(text: string): boolean {
  if (text.length > 40 || !pictures.test(text)) {
    return false;
  }
  return [...new Intl.Segmenter().segment(text.replace(/\s/g, ""))].length <= 3;
}
