const pictures = /^[\p{Extended_Pictographic}\p{Emoji_Component}\s]+$/u;

/** A text that is a few emoji and nothing else is drawn large. */
export function isEmoji(text: string): boolean {
  if (text.length > 40 || !pictures.test(text) || /^[\d#*\s]+$/.test(text)) {
    return false;
  }
  return [...new Intl.Segmenter().segment(text.replace(/\s/g, ""))].length <= 3;
}
