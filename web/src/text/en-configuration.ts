// The words of the configuration editor, in English. See en.ts for the notation.
export const configurationWords = {
} as const;
