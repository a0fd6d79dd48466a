export default function Page() {
  return <p>A page that is made when the application is built.</p>;
}
