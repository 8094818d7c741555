import java.io.ByteArrayInputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyPairGenerator;
import java.security.Security;
import java.security.cert.CertificateFactory;
import java.security.cert.TrustAnchor;
import java.security.cert.X509Certificate;
import java.util.Base64;
import java.util.Set;
import javax.security.auth.x500.X500Principal;
import org.bouncycastle.cert.X509CertificateHolder;
import org.bouncycastle.est.ESTAuth;
import org.bouncycastle.est.ESTException;
import org.bouncycastle.est.ESTService;
import org.bouncycastle.est.jcajce.JcaJceUtils;
import org.bouncycastle.est.jcajce.JsseESTServiceBuilder;
import org.bouncycastle.jce.provider.BouncyCastleProvider;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;
import org.bouncycastle.pkcs.PKCS10CertificationRequest;
import org.bouncycastle.pkcs.jcajce.JcaPKCS10CertificationRequestBuilder;

/**
 * Bouncy Castle's EST client, as it comes: it makes a key and a request of its own, fetches the CA's certificate, and enrols.
 *
 * - version: says which Bouncy Castle this is.
 * - begin HOST:PORT LABEL: writes request.der, under a fresh Ed25519 key, and prints the certificates of the CA.
 * - enrol HOST:PORT LABEL HOW:PROOF...: for each, enrols with request.der, the proof as a header field; HOW is enrol or reenrol. Prints the
 *   certificate, or the status.
 * The certificate of the TLS server is tls.pem. All files lie in the working directory.
 */
public class EstClient {
    public static void main(String[] args) throws Exception {
        var provider = new BouncyCastleProvider();
        Security.addProvider(provider);
        switch (args[0]) {
            case "version" -> System.out.println("Bouncy Castle " + provider.getVersionStr());
            case "begin" -> {
                request();
                print(ESTService.storeToArray(open(args[1], args[2]).getCACerts().getCertificateStore()));
            }
            case "enrol" -> {
                for (var i = 3; i < args.length; i++) {
                    var said = args[i].split(":", 2);
                    enrol(open(args[1], args[2]), said[0].equals("reenrol"), said[1]);
                }
            }
            default -> throw new IllegalArgumentException(args[0]);
        }
    }

    private static void request() throws Exception {
        var keys = KeyPairGenerator.getInstance("Ed25519").generateKeyPair();
        var subject = new X500Principal("CN=whatever the client says");
        var request = new JcaPKCS10CertificationRequestBuilder(subject, keys.getPublic())
            .build(new JcaContentSignerBuilder("Ed25519").build(keys.getPrivate()));
        Files.write(Path.of("request.der"), request.getEncoded());
    }

    private static ESTService open(String server, String label) throws Exception {
        var tls = (X509Certificate) CertificateFactory.getInstance("X.509")
            .generateCertificate(new ByteArrayInputStream(Files.readAllBytes(Path.of("tls.pem"))));
        var trust = JcaJceUtils.getCertPathTrustManager(Set.of(new TrustAnchor(tls, null)), null);
        return new JsseESTServiceBuilder(server, trust).withLabel(label).build();
    }

    private static void enrol(ESTService service, boolean again, String proof) throws Exception {
        var request = new PKCS10CertificationRequest(Files.readAllBytes(Path.of("request.der")));
        ESTAuth carried = builder -> {
            if (!proof.isEmpty()) builder.setHeader("Firmament-Proof", proof);
        };
        try {
            print(ESTService.storeToArray(service.simpleEnroll(again, request, carried).getStore()));
        } catch (ESTException refused) {
            System.out.println("status " + refused.getStatusCode());
        }
    }

    private static void print(X509CertificateHolder[] certificates) throws Exception {
        for (var certificate : certificates) {
            System.out.println("-----BEGIN CERTIFICATE-----");
            System.out.println(Base64.getMimeEncoder().encodeToString(certificate.getEncoded()));
            System.out.println("-----END CERTIFICATE-----");
        }
    }
}
