/** Prints a line where programs print what they have to say, for code that may not know there is a console. */
export function print(line: string): void {
  console.info(line)
}
