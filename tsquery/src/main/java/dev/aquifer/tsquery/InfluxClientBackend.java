package dev.aquifer.tsquery;

import com.influxdb.client.InfluxDBClient;
import java.io.IOException;
import java.io.InputStream;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.function.LongConsumer;
import okhttp3.HttpUrl;
import okhttp3.MediaType;
import okhttp3.RequestBody;
import okhttp3.ResponseBody;
import retrofit2.Call;
import retrofit2.Response;
import retrofit2.http.Body;
import retrofit2.http.POST;
import retrofit2.http.Streaming;

/**
 * A {@link FluxBackend} over the application's own {@code influxdb-client-java}: its address,
 * credentials, interceptors and compression. Needs that library on the class path.
 */
public final class InfluxClientBackend {
  private static final MediaType JSON = MediaType.get("application/json; charset=utf-8");

  private InfluxClientBackend() {}

  /**
   * The request, without the client's own model of an answer, which is made of records in memory.
   */
  interface QueryService {
    @Streaming
    @POST("api/v2/query")
    Call<ResponseBody> query(@retrofit2.http.Query("org") String org, @Body RequestBody json);
  }

  /**
   * A backend for a bucket, through a client.
   *
   * @param client is not closed by the backend
   * @param org the organization's name
   * @param bucket the bucket's name
   */
  public static FluxBackend.Builder builder(InfluxDBClient client, String org, String bucket) {
    Names.require("organization", org);
    QueryService service = client.getService(QueryService.class);
    return FluxBackend.over(
        address(service, org), bucket, errors -> new Transport(service, org, errors));
  }

  /** Where requests go, without user and password. */
  private static String address(QueryService service, String org) {
    HttpUrl url = service.query(org, RequestBody.create("", JSON)).request().url();
    return url.newBuilder().username("").password("").build().toString();
  }

  private record Transport(QueryService service, String org, InfluxErrors errors)
      implements FluxTransport {
    @Override
    public void ask(
        String json,
        Duration limit,
        String measurement,
        LongConsumer received,
        InfluxHttp.Reader reader) {
      Call<ResponseBody> call = service.query(org, RequestBody.create(json, JSON));
      call.timeout().timeout(limit.toNanos(), TimeUnit.NANOSECONDS);
      try {
        Response<ResponseBody> response = call.execute();
        try (ResponseBody answer =
                response.isSuccessful() ? response.body() : response.errorBody();
            InputStream body =
                answer == null
                    ? InputStream.nullInputStream()
                    : new CountedStream(answer.byteStream(), received)) {
          if (response.code() != 200) {
            throw errors.refused(response.code(), InfluxErrors.message(body));
          }
          reader.read(body);
        }
      } catch (IOException e) {
        throw errors.brokenOff(measurement, limit, e);
      } finally {
        call.cancel();
      }
    }

    @Override
    public void close() {}
  }
}
