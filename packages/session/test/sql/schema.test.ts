import t from 'tap'
import { migrationSql } from '../../src/sql/schema.ts'

t.test('prints what a database takes; Postgres where none is named, SQLite the same', async t => {
  t.equal(migrationSql(), migrationSql('postgres'))
  t.equal(migrationSql('sqlite'), migrationSql('postgres'))
  t.match(migrationSql(), /CREATE TABLE respite_session \(\n {2}hash CHAR\(43\) PRIMARY KEY,/)
  t.match(migrationSql('mysql'), /hash CHAR\(43\) CHARACTER SET ascii COLLATE ascii_bin PRIMARY KEY,[^]*data LONGTEXT [^]*ENGINE = InnoDB/)
})

t.test('prints only the steps after the version that is there', async t => {
  t.equal(migrationSql(0), migrationSql())
  t.notMatch(migrationSql(1), /respite_owner/)
  t.equal(migrationSql('postgres', 1), migrationSql(1))
  t.notMatch(migrationSql('mysql', 1), /respite_owner/)
})
