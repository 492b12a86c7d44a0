export const PLACEHOLDER = 0;
