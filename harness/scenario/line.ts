/** One line, no control characters, no half of a surrogate pair: it goes into signed texts and tables. */
export const LINE = /^[^\p{Cc}\p{Cs}\u2028\u2029]*$/u;
