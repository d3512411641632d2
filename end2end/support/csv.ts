// CSV as the contract promises it, read strictly: whatever is not exactly so is an error, not a guess.

/** The nine columns, in their order. */
export const COLUMNS = [
  'timestamp',
  'actor_access_token_id',
  'actor_access_token_name',
  'actor_user_id',
  'actor_user_name',
  'actor_user_email',
  'action',
  'previous',
  'next',
];

const FIELD = /"((?:[^"]|"")*)"(,|\r\n)/y;

/** The records of a file in which every field is quoted and every record ends with CR LF. */
export function parseCsv(text: string): string[][] {
  const records: string[][] = [];
  let record: string[] = [];
  FIELD.lastIndex = 0;
  while (FIELD.lastIndex < text.length) {
    const at = FIELD.lastIndex;
    const field = FIELD.exec(text);
    if (!field) throw new Error(`not a quoted field at character ${at}: ${JSON.stringify(text.slice(at, at + 60))}`);
    record.push(field[1].replaceAll('""', '"'));
    if (field[2] === '\r\n') {
      records.push(record);
      record = [];
    }
  }
  if (record.length > 0) throw new Error('the last record does not end');
  return records;
}

/** Whether a spreadsheet could take a field for a formula. */
export function couldBeFormula(field: string): boolean {
  return /^[\t\r\n]|^ *[=+\-@\t\r\n＝＋－＠]/.test(field);
}
