import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import software.amazon.event.ruler.Ruler;

/** Says for each line {"pattern": ..., "event": ...} of the standard input whether EventBridge matches it. */
public class Matches {
    public static void main(String[] args) throws Exception {
        ObjectMapper mapper = new ObjectMapper();
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in));
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            JsonNode pair = mapper.readTree(line);
            System.out.println(Ruler.matchesRule(pair.get("event").toString(), pair.get("pattern").toString()));
        }
    }
}
