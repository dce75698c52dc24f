import type { ColumnDefinitionBuilder, CreateTableBuilder, RawBuilder } from 'kysely'

/** What the stores can't say alike. */
export type StoreDialect = {
  /** Texts are compared byte by byte, whatever the language of the store: instants sort, and indexes stay right. */
  textType: 'text' | RawBuilder<unknown>
  /** A column that counts up by itself. */
  sequenceType: 'integer' | 'bigint'
  sequence(column: ColumnDefinitionBuilder): ColumnDefinitionBuilder
  /** The text under a key of a column of JSON text. */
  jsonText(column: string, key: string): RawBuilder<string>
}

/** Columns of text that must be there. */
export function texts<Table extends string>(
  table: CreateTableBuilder<Table, string>,
  columns: string[],
  store: StoreDialect,
): CreateTableBuilder<Table, string> {
  return columns.reduce((builder, name) => builder.addColumn(name, store.textType, (column) => column.notNull()), table)
}
