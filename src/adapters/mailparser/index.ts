/** Messages as people read them. mailparser turns HTML and flowed text into plain text; all else is done from the structure. */
export { type Content, readContent } from './content.ts'
