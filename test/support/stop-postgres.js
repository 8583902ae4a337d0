// Started once for all tests that need a database.
export default async function startPostgres() {}
