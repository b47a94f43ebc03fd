// A user for each service, who reads and writes that service's database and no
// other. Run again, it gives them their passwords of today.
db.getSiblingDB("admin").auth("root", process.env.MONGO_INITDB_ROOT_PASSWORD);
for (const service of ["auth", "social", "chat"]) {
  const own = db.getSiblingDB(service);
  const user = {
    pwd: process.env[`MONGO_${service.toUpperCase()}_PASSWORD`],
    roles: [{ role: "readWrite", db: service }],
  };
  if (own.getUser(service)) own.updateUser(service, user);
  else own.createUser({ user: service, ...user });
}
